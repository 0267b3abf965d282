"""Pictures in: the photograph, the paintings, the picture to start from."""
