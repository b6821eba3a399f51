# Counts by target group and class, the shortest way: quotes cut the line, spaces what is between them.
BEGIN { FS = "\"" }
{
    split($1, before, " ")
    split($5, after, " ")
    count[after[3] " " substr(before[9], 1, 1) "xx"]++
}
END { for (key in count) print count[key], key }
