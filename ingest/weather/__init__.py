"""Files of a weather office: CSV and BUFR in a folder, each into the log once, and rain nowcasts. ecCodes is
loaded by `bufr.py` alone, in a process of its own."""
