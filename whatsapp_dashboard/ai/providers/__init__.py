"""The companies and servers that answer, one file each."""
