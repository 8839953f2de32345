"""What all pages are made with: how one is declared, what it is given, forms, addresses, templates."""
