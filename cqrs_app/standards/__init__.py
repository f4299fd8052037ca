"""Public standards that values follow: countries, currencies, e-mail addresses, money."""
