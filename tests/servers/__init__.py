"""Real servers in tests: `fixtures` gives them, and what each test has of them for itself."""
