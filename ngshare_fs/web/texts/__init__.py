"""What pages say, in each language: a catalogue per language, and which of them a browser asks for."""
