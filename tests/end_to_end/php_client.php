<?php

// A client of API 2.0 that does what the vendor's own does: it signs what it sends, and drops every answer that is not
// signed with its secret. For each line that it reads, {"url", "key", "secret", "method", "params"} in JSON, it prints
// a line: the answer in JSON, without its signature; or "dropped".

declare(strict_types=1);

function signature(array $content, string $secret): string
{
    ksort($content);
    return md5($secret . json_encode($content));
}

function body(array $params, string $key, string $secret): string
{
    ksort($params);
    return json_encode($params + ['signature' => signature($params, $secret), 'key' => $key]);
}

function post(string $url, string $body): string
{
    $request = [
        'method' => 'POST',
        'header' => "Content-Type: application/json\r\n",
        'content' => $body,
        'timeout' => 30,
        'ignore_errors' => true, // what comes with an HTTP 500 is looked at as well
    ];
    // What was cut off is told as a warning, and then dropped as all is that does not have the right signature.
    return (string) @file_get_contents($url, false, stream_context_create(['http' => $request]));
}

function verified(string $text, string $secret): ?array
{
    $answer = json_decode($text, true);
    $given = is_array($answer) ? $answer['signature'] ?? null : null;
    if (!is_string($given)) {
        return null;
    }
    unset($answer['signature']);
    ksort($answer);
    return hash_equals(signature($answer, $secret), $given) ? $answer : null;
}

while (($line = fgets(STDIN)) !== false) {
    $asked = json_decode($line, true, 512, JSON_THROW_ON_ERROR);
    $body = body($asked['params'], $asked['key'], $asked['secret']);
    $answer = verified(post("{$asked['url']}/{$asked['method']}.json", $body), $asked['secret']);
    echo $answer === null ? 'dropped' : json_encode($answer), "\n";
}
