"""A result, or a sweep, as one HTML page that needs no other file: ``write_page``."""
