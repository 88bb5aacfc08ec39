"""``python -m pearlfem`` is the program ``pearlfem``."""

from pearlfem.cli.main import main

if __name__ == "__main__":
    main()
