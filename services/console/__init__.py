"""The console's first page: who you are, what runs, what there is, how to begin."""
