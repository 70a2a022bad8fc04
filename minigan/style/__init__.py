"""Style transfer: paint one picture's content with another's strokes and colours."""
