"""How what people read reaches them."""
