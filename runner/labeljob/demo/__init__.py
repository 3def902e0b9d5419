"""The demonstration: real photographs, a simulated crowd, and pictures of what came out."""

from labeljob.demo.material import BUCKET, DemoJob, MaterialError, lay_out

__all__ = ["BUCKET", "DemoJob", "MaterialError", "lay_out"]
