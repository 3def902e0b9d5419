"""Custom pre-annotation and annotation consolidation for SageMaker Ground Truth."""
