// Built without modules, of Debian's packages; with this file go takes /v3 for the folder that has version 3.
module helmrender

go 1.19
