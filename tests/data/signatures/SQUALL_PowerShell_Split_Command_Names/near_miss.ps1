$text = 'first' + 'second'
Write-Host ("{0} of {1}" -f $done, $all)
$line = 'a long line ' + `
  'goes on here'
$tab = [char]9 + [char]13
