"""What takes samples, and what keeps them."""
