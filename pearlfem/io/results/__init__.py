"""The files of a result: summary, tables, impurities, the study itself."""
