"""短信的最后一路 The last way for SMS: a 4G modem, driven by the program smsd (SMS Server Tools 3) through the
folders of its spool."""
