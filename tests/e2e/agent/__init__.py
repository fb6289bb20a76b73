"""An agent backend for the end-to-end tests, built the way the affected real ones are."""
