/** A command line that asks for something that cannot be done. Its message is one line that says what to type instead. */
export class UsageFault extends Error {}
