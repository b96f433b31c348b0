"""Rules that foretell discharge by a runoff model, from rain alone or with the discharge that is measured. A
model's equations stand in one file, for fitting (`skill.series.joint`) uses the same."""
