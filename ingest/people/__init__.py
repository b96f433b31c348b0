"""What people report: by form, SMS or app, with photographs, and their words where nobody can read them."""
