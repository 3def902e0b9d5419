"""Where objects are: in S3, or in a folder of this machine."""
