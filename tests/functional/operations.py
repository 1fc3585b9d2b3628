"""What the programs that run in a sandbox or container try there, as the text that they begin with (paths.py, carriers_random.py)."""

OPERATIONS = """
import errno, os
def outcome(operation):
    try:
        return operation() or "ok"
    except OSError as e:
        return errno.errorcode[e.errno or errno.ETIMEDOUT]
def write(path):
    if os.path.isdir(path):
        os.mkdir(path + "/new")
        os.rmdir(path + "/new")
    else:
        os.close(os.open(path, os.O_WRONLY))
def is_listed(path):
    try:
        return os.path.basename(path) in os.listdir(os.path.dirname(path))
    except OSError:
        return False
"""
