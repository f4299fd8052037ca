"""The CQRS machinery: buses, event store, projections, freshness. It knows no business word."""
