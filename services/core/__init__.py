"""What every noun of the control plane stands on: database, rights, routing, events, audit."""

VERSION = "0.1.0"
