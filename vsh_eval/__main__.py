"""``python -m vsh_eval`` is the same as ``vsh-eval``."""

from vsh_eval.cli import start

if __name__ == "__main__":
    start()
