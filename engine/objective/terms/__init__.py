"""What an objective may be made of: one small file a family of terms."""
