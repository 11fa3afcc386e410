"""Jobs that are forked: each as if it were fresh, by a server that is begun anew when what it has loaded changes."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from common.schedule import fork_server, runs
from common.schedule.fork_server import ForkServer
from common.settings import JOBS, PROJECT_ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="jobs are forked on Linux alone")


@contextmanager
def begun():
    server = ForkServer()
    yield server
    server.close()
    for process in server._ending:
        process.wait(10)


@pytest.fixture(scope="module")
def server():
    with begun() as server:
        yield server


@pytest.fixture
def run(server, tmp_path):
    """A function that runs a script with this text; gives its exit code and its output."""

    def run(text, *arguments):
        path = tmp_path / "my_job.py"
        path.write_text(text)
        process = server.start([str(path), *map(str, arguments)])
        with process.stdout:
            return process.wait(), process.stdout.read()

    return run


def test_a_job_finds_what_a_fresh_process_would(run):
    text = """
import json, logging, os, random, signal, sys, threading
print(json.dumps({
    "argv": sys.argv[1:], "name": __name__, "stdin": sys.stdin.read(), "handlers": logging.root.handlers,
    "files": sorted(os.listdir("/proc/self/fd"))[:3], "group": os.getpgid(0) == os.getpid(),
    "term": signal.getsignal(signal.SIGTERM) == signal.SIG_DFL,
    "chld": signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL,
    "int": signal.getsignal(signal.SIGINT) == signal.default_int_handler, "threads": threading.active_count(),
    "encoding": sys.stdout.encoding, "is a terminal": sys.stderr.isatty(), "main": threading.current_thread().name,
}))
"""
    code, output = run(text, "--config", "a b.env")
    assert code == 0
    assert json.loads(output) == {
        "argv": ["--config", "a b.env"],
        "name": "__main__",
        "stdin": "",
        "handlers": [],
        "files": ["0", "1", "2"],
        "group": True,
        "term": True,
        "chld": True,
        "int": True,
        "threads": 1,
        "encoding": "utf-8",
        "is a terminal": False,
        "main": "MainThread",
    }


def test_no_two_jobs_have_the_same_chance(run):
    assert run("import random; print(random.random())") != run("import random; print(random.random())")


def test_everything_that_jobs_need_is_loaded_before(run):
    names = (*JOBS, *fork_server.PRELOADED, "apprise", "openpyxl", "requests", "jinja2")
    text = f"import sys; print([name for name in {names} if name not in sys.modules])"
    assert run(text) == (0, "[]\n")


@pytest.mark.parametrize(
    ("text", "code", "output"),
    [
        ("raise SystemExit", 0, ""),
        ("raise SystemExit(75)", 75, ""),
        ("raise SystemExit('It broke.')", 1, "It broke.\n"),
        ("import os; os.kill(os.getpid(), 9)", -9, ""),
    ],
)
def test_the_exit_code_is_that_of_the_script(text, code, output, run):
    assert run(text) == (code, output)


def test_a_server_without_a_handle_to_spare_loses_no_job_and_goes_on(run, server):
    import resource  # Unix alone has it

    assert run("pass") == (0, "")
    process = server._process
    handles = len(list(Path(f"/proc/{process.pid}/fd").iterdir()))
    before = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (handles + 2, before[1]))  # those that come with a request
    try:
        run("pass")
    finally:
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, before)
    assert (run("pass"), server._process) == ((0, ""), process)


def test_an_error_that_nobody_caught_is_shown(run):
    code, output = run("raise KeyError('x')")
    assert (code, output.splitlines()[-1]) == (1, "KeyError: 'x'")


def test_it_waits_for_threads_and_does_what_is_to_be_done_at_the_end(run):
    text = """
import atexit, threading, time
atexit.register(print, "the end")
threading.Thread(target=lambda: (time.sleep(0.1), print("a thread"))).start()
print("the script")
"""
    assert run(text) == (0, "the script\na thread\nthe end\n")


def test_nothing_is_loaded_from_the_folder_that_the_loop_was_started_in(tmp_path, monkeypatch):
    for name in ("random", "requests"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('from the wrong folder')")
    script = tmp_path / "my_job.py"
    script.write_text("import random, requests, sys; print('' in sys.path)")
    monkeypatch.chdir(tmp_path)
    with begun() as server:
        process = server.start([str(script)])
    with process.stdout:
        assert (process.wait(), process.stdout.read()) == (0, "False\n")


@pytest.mark.parametrize("job", JOBS)
def test_the_real_jobs_are_run_as_their_scripts_run_them(job):
    text = (PROJECT_ROOT / "scripts" / f"{job}.py").read_text("utf-8")
    assert text.endswith('\nif __name__ == "__main__":\n    run(main, __doc__, add_arguments)\n')


@pytest.mark.parametrize("job", JOBS)
def test_the_real_jobs_say_what_they_need(job, server, tmp_path, monkeypatch):
    script = PROJECT_ROOT / "scripts" / f"{job}.py"
    arguments = ["today"] if job == "export_calls_for_period" else []
    process = server.start([str(script), *arguments, "--config", str(tmp_path / "none.env")])
    with process.stdout:
        assert process.wait() == 2
        assert "there is no such file. Copy config.example.env there and fill it in." in process.stdout.read()


def parent(run):
    return int(run("import os; print(os.getppid())")[1])


def test_it_is_begun_anew_when_a_script_a_package_or_the_configuration_has_changed(run, tmp_path, monkeypatch):
    code, config = tmp_path / "code.py", tmp_path / "config.env"
    code.write_text("1")
    config.write_text("A=1")
    monkeypatch.setattr(fork_server, "code_files", lambda: [code])
    servers = [parent(run), parent(run)]
    code.write_text("12")
    servers.append(parent(run))
    run("pass", "--config", config)
    servers.append(parent(run))
    config.write_text("A=12")
    run("pass", "--config", config)
    servers.append(parent(run))
    code.unlink()
    servers += [parent(run), parent(run)]
    assert [servers.index(one) for one in servers] == [0, 0, 2, 2, 4, 5, 5]


def test_all_our_code_and_what_tells_of_packages_is_watched():
    names = {path.name for path in fork_server.code_files()}
    assert {"binotel_core.py", "alert_lost_calls.py", "labels.py", "site-packages"} <= names


def test_a_job_goes_on_when_its_server_is_to_be_begun_anew(server, run, tmp_path, monkeypatch):
    slow = tmp_path / "slow.py"
    slow.write_text("import time; print('begun', flush=True); time.sleep(1); print('done')")
    process = server.start([str(slow)])
    assert process.stdout.readline() == "begun\n"
    monkeypatch.setattr(server, "_code", {})
    assert run("print('other')") == (0, "other\n")
    with process.stdout:
        assert (process.wait(), process.stdout.read()) == (0, "done\n")


def test_one_that_is_stopped_as_soon_as_it_is_begun_ends(server, tmp_path):
    slow = tmp_path / "slow.py"
    slow.write_text("import time; time.sleep(60)")
    for _ in range(20):
        process = server.start([str(slow)])
        os.killpg(process.pid, signal.SIGTERM)
        with process.stdout:
            assert process.wait() == -signal.SIGTERM


def test_a_service_that_is_stopped_with_all_its_processes_lets_each_job_end_by_itself(server, tmp_path):
    polite = tmp_path / "polite.py"
    polite.write_text(
        "import signal, time\nsignal.signal(signal.SIGTERM, lambda *_: exit(7))\nprint('begun', flush=True)\n"
        "time.sleep(60)"
    )
    process = server.start([str(polite)])
    assert process.stdout.readline() == "begun\n"
    server._process.terminate()
    time.sleep(0.2)  # for a server that would end, and its job with it
    os.kill(process.pid, signal.SIGTERM)
    with process.stdout:
        assert process.wait() == 7


def test_a_server_that_was_killed_takes_its_jobs_along_and_another_one_is_begun(server, run, tmp_path):
    slow = tmp_path / "slow.py"
    slow.write_text("import time; print('begun', flush=True); time.sleep(60)")
    process = server.start([str(slow)])
    assert process.stdout.readline() == "begun\n"
    server._process.send_signal(signal.SIGKILL)
    with process.stdout:
        assert process.wait() == -signal.SIGKILL
        assert process.stdout.read() == ""
    assert run("print('again')") == (0, "again\n")


def test_a_loop_that_was_killed_takes_its_jobs_along(tmp_path):
    slow = tmp_path / "slow.py"
    slow.write_text("import os, time; print(os.getpid(), flush=True); time.sleep(60)")
    program = (
        f"import sys, time; sys.path.insert(0, {str(PROJECT_ROOT / 'scripts')!r})\n"
        "from common.schedule.fork_server import ForkServer\n"
        f"print(ForkServer().start([{str(slow)!r}]).stdout.readline(), flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as loop:
        job = int(loop.stdout.readline())
        loop.kill()
    wait_for_end(job)


def test_where_nothing_can_be_forked_a_job_is_begun_afresh(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(fork_server, "SCRIPTS", tmp_path)  # where a server finds nothing of what it has to load
    script = tmp_path / "my_job.py"
    script.write_text("raise SystemExit(3)")
    with begun() as server:
        monkeypatch.setattr(runs, "_server", server)
        run = runs.Run("kyiv my_job", [str(script)], 60, lambda: None, lambda outcome: None)
        run.join(20)
    assert run.outcome.problem == "It ended with exit code 3, and said nothing."
    assert [record.getMessage() for record in caplog.records] == [
        "The process that jobs are forked from cannot be begun, so this one is begun without it"
    ]


def test_what_a_loop_asked_for_that_was_killed_before_its_server_was_ready_does_not_go_on(tmp_path):
    slow = tmp_path / "slow.py"
    slow.write_text("import time; time.sleep(60)")
    program = (
        f"import json, os, socket, sys; sys.path.insert(0, {str(PROJECT_ROOT / 'scripts')!r})\n"
        "from common.schedule.fork_server import ForkServer\n"
        "server = ForkServer(); server._begin()\n"
        f"socket.send_fds(server._socket, [json.dumps([{str(slow)!r}]).encode()], [1, 1])\n"
        "os.write(1, f'{server._process.pid}\\n'.encode()); os._exit(0)"
    )
    asked = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, timeout=20, check=True)
    wait_for_end(int(asked.stdout.splitlines()[0]))


def wait_for_end(pid):
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
