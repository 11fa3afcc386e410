"""A local stand-in for api.binotel.com, to try and to test everything without a key.

It serves every method for a made-up Ukrainian company, by API 2.0 and by 4.0 (/api/4.0 in place of /api/2.0): checks
the signature or the secret, the parameters and the quota as Binotel does, signs the answers of 2.0, and makes the same
calls for the same seed and day. Its recordings can be downloaded; its customers can be changed until it ends.

A call that is placed rings, is answered, and appears in the lists; a number that ends in 9 does not answer, one in 8 is
busy, one in 7 cannot be reached, and line 908 is offline.

    python scripts/sandbox.py --port 8020

For tests, GET /sandbox/requests lists what was asked, and POST /sandbox/faults makes the next answers fail:
{"method": "stats/call-details", "fault": "http-500", "count": 2}. Downloads of recordings go by the method "records".
"""

import sys
from contextlib import suppress

from common.job import Parser, print_out, run_to_the_end
from common.sandbox.answers import KEY, SECRET, Sandbox
from common.sandbox.server import Server


def main() -> int:
    first_line, _, more = (__doc__ or "").partition("\n")
    parser = Parser(description=first_line, epilog=more)
    parser.add_argument("--port", type=int, default=8020, help="port on 127.0.0.1; 0 takes a free one (default: 8020)")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes another company (default: 1)")
    parser.add_argument("--calls-per-day", type=int, default=200, help="on an ordinary working day (default: 200)")
    parser.add_argument("--time-scale", type=float, default=1, help="0.01 makes the quota's times 100 times shorter")
    parser.add_argument("--latency", type=float, default=0, help="seconds that every answer takes longer (default: 0)")
    parser.add_argument("--key", default=KEY, help=f"the key to accept (default: {KEY})")
    parser.add_argument("--secret", default=SECRET, help=f"its secret (default: {SECRET})")
    options = vars(parser.parse_args())
    port = options.pop("port")
    try:
        server = Server(Sandbox(**options), port)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        sys.exit(f"sandbox: port {port} cannot be used: {reason}. Choose another one with --port.")
    with server:
        print_out(f"sandbox ready: {server.sandbox.base_url}")
        with suppress(KeyboardInterrupt):
            server.serve_forever()
    return 0


if __name__ == "__main__":
    run_to_the_end(main)
