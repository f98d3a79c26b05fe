"""How the product speaks: numbers, parameters, reasons and what was equal, for the pages and the terminal alike."""
