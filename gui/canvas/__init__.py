"""Pictures out: the pastiche as it forms, compared, saved and copied."""
