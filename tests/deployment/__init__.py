"""What production runs, tried: `deploy/` as it is shipped, with other addresses."""
