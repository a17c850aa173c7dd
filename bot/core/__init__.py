"""The pure core: values, decisions and the one road. No network and no clock of its own."""
