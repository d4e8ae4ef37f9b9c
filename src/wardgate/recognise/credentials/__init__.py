"""Ways of presenting a credential: one file for each family, all made under one key (`maker`)."""
