"""New projects: a configuration and a pipeline that fit a file."""
