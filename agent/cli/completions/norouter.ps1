# Completes norouter in PowerShell. The program itself knows what can stand at the cursor.
Register-ArgumentCompleter -Native -CommandName norouter -ScriptBlock {
    param($current, $ast, $cursor)
    $typed = @($ast.CommandElements | Where-Object { $_.Extent.StartOffset -lt $cursor } | ForEach-Object { $_.Extent.Text })
    $lines = if ($current -eq '') {
        & $typed[0] complete --empty -- @typed 2>$null
    } else {
        & $typed[0] complete -- @typed 2>$null
    }
    foreach ($line in $lines) {
        $value, $help = $line -split "`t", 2
        if ($value -and -not $value.StartsWith(':')) {
            if (-not $help) { $help = $value }
            [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $help)
        }
    }
}
