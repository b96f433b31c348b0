"""What rules make of real shaking: lead before a flow, alarms without one. Pure but for reading files."""
