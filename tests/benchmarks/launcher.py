"""python launcher.py HANDLE COMMAND ...: runs the command, and writes [exit code, peak kilobytes] to the handle."""

import os
import sys

handle, command = int(sys.argv[1]), sys.argv[2:]
child = os.fork()
if not child:
    os.close(handle)
    os.execvp(command[0], command)
_, status, usage = os.wait4(child, 0)
os.write(handle, f"[{os.waitstatus_to_exitcode(status)}, {usage.ru_maxrss}]".encode())
