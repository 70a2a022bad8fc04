"""cuDNN's switches: kept as they are set, and read by nobody, as no cuDNN is used."""

benchmark = False
deterministic = True
enabled = False
