"""What point impurities add to energies and fields: exact fields of the infinite film."""
