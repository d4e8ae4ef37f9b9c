"""The relational tables people write to, their migrations, and the types rooms hand one another."""
