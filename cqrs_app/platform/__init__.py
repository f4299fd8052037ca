"""Services for every area: operators, monitoring, webhooks, imports and exports, the catalogue."""
