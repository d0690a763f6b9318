"""What children's social care sends: the CIN census, SSDA903 and Annex A, made into episodes."""
