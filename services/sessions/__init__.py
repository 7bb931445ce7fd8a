"""Sessions: interactive workloads in folders that stay."""
