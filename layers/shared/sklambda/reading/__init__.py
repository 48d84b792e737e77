"""How files of rows are read: training, batch scoring and ``text/csv`` share these rules."""
