"""Model packages on AWS Lambda: read one, score rows, get scikit-learn's own answers."""
