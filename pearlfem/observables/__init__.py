"""What a solution says: functions of solutions, summed over ranks."""
