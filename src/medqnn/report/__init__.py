"""The report of a run: figures, tables and panels, put together as one HTML file by `html`."""
