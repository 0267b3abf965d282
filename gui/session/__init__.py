"""The controller: pictures and settings of the next job, the job that runs, what it made."""
