"""Each landed file is checked and moved as soon as it lands, and every bus listener is told what became of it."""
