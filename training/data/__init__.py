"""Tables of rows from files, queries and functions, with typed columns."""
