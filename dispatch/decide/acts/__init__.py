"""What each act of a person does to a warning. Who calls them: `dispatch.decide.apply`."""
